# targets of hv/
