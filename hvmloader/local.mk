# targets of hvmloader/
