-- Whose a kept message is: it goes with what else is known of them.
alter table log.kept_message add column person uuid;
create index kept_message_person on log.kept_message (person);
