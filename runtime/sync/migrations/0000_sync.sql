CREATE TABLE `sync_remotes` (
	`id` integer PRIMARY KEY NOT NULL,
	`url` text NOT NULL,
	`username` text NOT NULL,
	`token` text NOT NULL,
	`webhook_secret` text NOT NULL,
	`branch` text NOT NULL,
	`local_branch` text NOT NULL,
	`last` text,
	`ahead` integer,
	`behind` integer,
	`last_sync_at` integer,
	`failures` integer DEFAULT 0 NOT NULL,
	`error` text,
	`conflict` text,
	`held` text
);
