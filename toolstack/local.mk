# targets of toolstack/
