# targets of dm-glue/
