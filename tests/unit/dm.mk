# unit tests: dm
