ALTER TABLE `jobs_runs` ADD `notBefore` integer;--> statement-breakpoint
ALTER TABLE `jobs_runs` ADD `policy` text;