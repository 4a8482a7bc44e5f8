CREATE TABLE `notices_commit_statuses` (
	`id` integer PRIMARY KEY NOT NULL,
	`url` text NOT NULL,
	`commit` text NOT NULL,
	`state` text NOT NULL,
	`description` text NOT NULL,
	`at` integer NOT NULL,
	`attempts` integer NOT NULL,
	`next_at` integer,
	`error` text
);
--> statement-breakpoint
DROP INDEX `notices_messages_once`;--> statement-breakpoint
ALTER TABLE `notices_messages` ADD `round` integer DEFAULT 0 NOT NULL;--> statement-breakpoint
CREATE UNIQUE INDEX `notices_messages_once` ON `notices_messages` (`incident_id`,`kind`,`channel`,`round`);--> statement-breakpoint
ALTER TABLE `notices_incidents` ADD `told_to` text DEFAULT '[]' NOT NULL;--> statement-breakpoint
ALTER TABLE `notices_incidents` ADD `muted_at` integer;--> statement-breakpoint
ALTER TABLE `notices_incidents` ADD `reminders` integer DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE `notices_settings` ADD `slack_url_sealed` text DEFAULT '' NOT NULL;--> statement-breakpoint
ALTER TABLE `notices_settings` ADD `discord_url_sealed` text DEFAULT '' NOT NULL;--> statement-breakpoint
UPDATE `notices_incidents` SET `told_to` = coalesce((SELECT json_group_array(`channel`) FROM (SELECT DISTINCT `channel` FROM `notices_messages` WHERE `incident_id` = `notices_incidents`.`id` AND `kind` = 'opened')), '[]');--> statement-breakpoint
UPDATE `notices_incidents` SET `told_at` = NULL WHERE `told_to` = '[]' AND `closed_at` IS NULL;
