-- What is looked up under the lock of a subscription, or every five minutes, and had to read whole tables that only grow:
-- the orders of a mandate, the attempts at an instalment, what of a payment lies in the balance, the invoice of a change.
set local lock_timeout = '5s';

create index mp_commands_mandate on mp_commands (mandate_id, id) where mandate_id is not null;
create index payments_mandate on payments (mandate_id, mp_authorized_payment_id) where mandate_id is not null;
create index ledger_payment on ledger (payment_id) where payment_id is not null;
create index invoices_plan_change on invoices (plan_change_id) where plan_change_id is not null;
