# unit tests: dev
