ALTER TABLE `jobs_runs` ADD `replayOf` text;--> statement-breakpoint
ALTER TABLE `jobs_runs` ADD `attemptOf` text;--> statement-breakpoint
CREATE INDEX `jobs_slots_by_decision` ON `jobs_slots` (`decidedAt`);