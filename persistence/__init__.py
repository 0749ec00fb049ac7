"""What is kept: the journal, the store and everything that reads or writes them."""
