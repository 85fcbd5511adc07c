# unit tests: lib
