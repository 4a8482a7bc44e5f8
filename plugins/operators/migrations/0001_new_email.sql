ALTER TABLE `operators_operators` ADD `new_email` text;--> statement-breakpoint
ALTER TABLE `operators_operators` ADD `new_email_hash` text;--> statement-breakpoint
ALTER TABLE `operators_operators` ADD `new_email_until` integer;