CREATE TABLE `git_server_pushes` (
	`seq` integer PRIMARY KEY AUTOINCREMENT NOT NULL,
	`commit` text NOT NULL,
	`token` text,
	`at` integer NOT NULL
);
--> statement-breakpoint
CREATE INDEX `git_server_pushes_by_commit` ON `git_server_pushes` (`commit`);