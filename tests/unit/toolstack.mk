# unit tests: toolstack
