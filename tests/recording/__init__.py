"""A scripted run over HTTP, written down so that two states of the code can be compared. tests/recording/README.md."""
