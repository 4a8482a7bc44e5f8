CREATE TABLE `state_entries` (
	`job_id` text NOT NULL,
	`key` text NOT NULL,
	`json` text NOT NULL,
	`bytes` integer NOT NULL,
	`updated_at` integer NOT NULL,
	PRIMARY KEY(`job_id`, `key`)
);
