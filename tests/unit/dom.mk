# unit tests: dom
