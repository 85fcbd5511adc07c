# unit tests: hvmloader
