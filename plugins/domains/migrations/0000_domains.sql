CREATE TABLE `domains_domains` (
	`id` text PRIMARY KEY NOT NULL,
	`instance_id` text NOT NULL,
	`name` text NOT NULL,
	`proof` text NOT NULL,
	`state` text NOT NULL,
	`since` integer NOT NULL,
	`vouched` integer NOT NULL,
	`created_at` integer NOT NULL,
	`checked_at` integer,
	`finding` text,
	`next_check_at` integer NOT NULL,
	`misses` integer DEFAULT 0 NOT NULL
);
--> statement-breakpoint
CREATE UNIQUE INDEX `domains_claims` ON `domains_domains` (`instance_id`,`name`);--> statement-breakpoint
CREATE UNIQUE INDEX `domains_proven` ON `domains_domains` (`name`) WHERE state in ('active', 'losing');