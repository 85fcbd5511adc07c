# unit tests: ioreq
