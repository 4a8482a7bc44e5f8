CREATE TABLE `jobs_live_sets` (
	`id` integer PRIMARY KEY NOT NULL,
	`build` text NOT NULL,
	`commit` text,
	`tree` text NOT NULL,
	`jobs` text NOT NULL,
	`loadedAt` integer NOT NULL
);
--> statement-breakpoint
CREATE TABLE `jobs_runs` (
	`seq` integer PRIMARY KEY AUTOINCREMENT NOT NULL,
	`id` text NOT NULL,
	`jobId` text NOT NULL,
	`status` text NOT NULL,
	`trigger` text NOT NULL,
	`slot` integer,
	`attempt` integer NOT NULL,
	`commit` text,
	`build` text NOT NULL,
	`params` text NOT NULL,
	`timeoutMs` integer NOT NULL,
	`queuedAt` integer NOT NULL,
	`startedAt` integer,
	`finishedAt` integer,
	`durationMs` integer,
	`result` text,
	`errorMessage` text,
	`errorStack` text
);
--> statement-breakpoint
CREATE UNIQUE INDEX `jobs_runs_id_unique` ON `jobs_runs` (`id`);--> statement-breakpoint
CREATE INDEX `jobs_runs_by_job` ON `jobs_runs` (`jobId`,`seq`);--> statement-breakpoint
CREATE INDEX `jobs_runs_by_status` ON `jobs_runs` (`status`,`seq`);--> statement-breakpoint
CREATE TABLE `jobs_schedules` (
	`jobId` text PRIMARY KEY NOT NULL,
	`enabled` integer NOT NULL,
	`cron` text NOT NULL,
	`timezone` text NOT NULL,
	`since` integer NOT NULL
);
--> statement-breakpoint
CREATE TABLE `jobs_slots` (
	`jobId` text NOT NULL,
	`at` integer NOT NULL,
	`outcome` text NOT NULL,
	`reason` text,
	`runId` text,
	`decidedAt` integer NOT NULL,
	PRIMARY KEY(`jobId`, `at`)
);
