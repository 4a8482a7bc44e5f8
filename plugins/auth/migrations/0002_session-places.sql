ALTER TABLE `auth_sessions` ADD `address` text;--> statement-breakpoint
ALTER TABLE `auth_sessions` ADD `browser` text;