-- An operator sends a mail again that was refused or ran out of days. So what holds no secret keeps its data after the
-- mail is closed, for as long as somebody may ask (the sweep empties it after 90 days); what does hold one is emptied as
-- before. The release before knows nothing of this: its rows have secrets until proven otherwise, and it empties all.
set local lock_timeout = '5s';

alter table mail_outbox
  add column has_secret boolean not null default true,
  add column resends int not null default 0 check (resends >= 0),
  add column queued_at timestamptz not null default now(),
  add column delivery text;
update mail_outbox set queued_at = created_at where state = 'queued';

comment on table mail_outbox is 'Mails to send and sent. data with a temporary password or a token is emptied once the mail is sent, refused or expired; other data 90 days later, and until then the mail can be sent again.';
comment on column mail_outbox.resends is 'How often it was asked for again. Part of the Message-ID from the first on, and who claimed an earlier sending may not close a later one.';
comment on column mail_outbox.queued_at is 'When it was last left to be sent: three days are counted from here.';
comment on column mail_outbox.sent_at is 'When a server last took it. A later sending that fails leaves it.';
comment on column mail_outbox.delivery is 'What the server said when it took it: the proof that a notice of the law went out.';

-- The sweep looks for what waits by when it was left, and for what need not be kept.
create index mail_outbox_waiting on mail_outbox (queued_at) where state = 'queued';
drop index mail_outbox_queued;
create index mail_outbox_kept on mail_outbox (queued_at) where state <> 'queued' and data <> '{}';
-- The operator's list, newest first: all of them by the primary key, what did not arrive and what a company got by these.
create index mail_outbox_undelivered on mail_outbox (id) where state in ('failed', 'expired');
create index mail_outbox_tenant on mail_outbox (tenant_id, id) where tenant_id is not null;
