"""Records a scripted run over HTTP, to compare two states of the code. tests/recording/README.md says how."""
