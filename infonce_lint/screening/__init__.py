"""What cannot hold a finding, told from a file's bytes, then from CPython's tree, before libcst is asked."""
