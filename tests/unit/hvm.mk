# unit tests: hvm
