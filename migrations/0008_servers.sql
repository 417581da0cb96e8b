-- Where a server is and whose credential opens it is the operator's to say, as the owner: the worker follows these
-- columns with the owner's password in hand, so whoever could change them as horux_central could have it sent elsewhere.
-- The running product only notes what it saw.
revoke insert, update, delete on database_servers from horux_central;
grant update (server_version, template_hash, checked_at, last_error) on database_servers to horux_central;
