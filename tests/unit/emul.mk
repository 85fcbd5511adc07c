# unit tests: emul
