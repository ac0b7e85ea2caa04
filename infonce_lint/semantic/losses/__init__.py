"""What is a contrastive loss, which tensors are its features, and where a configured size takes part in it."""
