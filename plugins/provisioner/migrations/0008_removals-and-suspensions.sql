CREATE TABLE `provisioner_removals` (
	`instance_id` text PRIMARY KEY NOT NULL,
	`removed_by` text,
	`desired_before` text NOT NULL,
	`deleted_at` integer,
	`carried_ms` integer DEFAULT 0 NOT NULL,
	`served_ms` integer DEFAULT 0 NOT NULL,
	`seen_at` integer,
	`objection` text,
	`purge_requested_at` integer,
	`volume_permit` text,
	FOREIGN KEY (`instance_id`) REFERENCES `provisioner_instances`(`id`) ON UPDATE no action ON DELETE no action
);
--> statement-breakpoint
CREATE TABLE `provisioner_suspensions` (
	`instance_id` text PRIMARY KEY NOT NULL,
	`suspended_at` integer NOT NULL,
	`reason` text NOT NULL,
	`kept_ms` integer DEFAULT 0 NOT NULL,
	FOREIGN KEY (`instance_id`) REFERENCES `provisioner_instances`(`id`) ON UPDATE no action ON DELETE no action
);
--> statement-breakpoint
INSERT INTO `provisioner_removals` (`instance_id`, `removed_by`, `desired_before`, `deleted_at`, `carried_ms`, `served_ms`, `seen_at`, `objection`, `purge_requested_at`)
SELECT `id`, `deleted_by`, coalesce(`desired_before`, 'running'), `deleted_at`, `retention_carried_ms`, `retention_served_ms`, `retention_seen_at`, `retention_held`, `purge_requested_at`
FROM `provisioner_instances` WHERE `desired` = 'deleted';--> statement-breakpoint
INSERT INTO `provisioner_suspensions` (`instance_id`, `suspended_at`, `reason`, `kept_ms`)
SELECT `id`, `suspended_at`, coalesce(`suspension`, 'No reason was recorded.'), `retention_carried_ms`
FROM `provisioner_instances` WHERE `suspended_at` IS NOT NULL;--> statement-breakpoint
UPDATE `provisioner_instances` SET `volume_permit` = NULL WHERE `volume_permit` = 'delete';--> statement-breakpoint
ALTER TABLE `provisioner_instances` DROP COLUMN `deleted_at`;--> statement-breakpoint
ALTER TABLE `provisioner_instances` DROP COLUMN `suspended_at`;--> statement-breakpoint
ALTER TABLE `provisioner_instances` DROP COLUMN `suspension`;--> statement-breakpoint
ALTER TABLE `provisioner_instances` DROP COLUMN `deleted_by`;--> statement-breakpoint
ALTER TABLE `provisioner_instances` DROP COLUMN `desired_before`;--> statement-breakpoint
ALTER TABLE `provisioner_instances` DROP COLUMN `retention_served_ms`;--> statement-breakpoint
ALTER TABLE `provisioner_instances` DROP COLUMN `retention_seen_at`;--> statement-breakpoint
ALTER TABLE `provisioner_instances` DROP COLUMN `retention_carried_ms`;--> statement-breakpoint
ALTER TABLE `provisioner_instances` DROP COLUMN `retention_held`;--> statement-breakpoint
ALTER TABLE `provisioner_instances` DROP COLUMN `purge_requested_at`;