"""What a file is: bytes to text, tree and places and back again, of Python and of notebooks; it knows no losses."""
