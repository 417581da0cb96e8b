-- What was written down stays as it was written, also for the company's own role: who may run statements in its name
-- could otherwise wipe the traces, or make the database say that it is another company's. As in the central database,
-- the running product adds lines and changes none.
revoke update, delete on auditoria from horux_tenant;
revoke update, delete on _tenant from horux_tenant;
