CREATE TABLE `auth_used_tokens` (
	`jti` text PRIMARY KEY NOT NULL,
	`used_at` integer NOT NULL
);
--> statement-breakpoint
ALTER TABLE `auth_passwords` ADD `off_since` integer;--> statement-breakpoint
ALTER TABLE `auth_sessions` ADD `via` text DEFAULT 'password' NOT NULL;