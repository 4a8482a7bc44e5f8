CREATE TABLE `jobs_live_commits` (
	`seq` integer PRIMARY KEY AUTOINCREMENT NOT NULL,
	`commit` text NOT NULL,
	`at` integer NOT NULL
);
--> statement-breakpoint
CREATE INDEX `jobs_live_commits_by_commit` ON `jobs_live_commits` (`commit`);