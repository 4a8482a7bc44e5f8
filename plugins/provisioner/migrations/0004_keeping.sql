ALTER TABLE `provisioner_instances` ADD `billed` integer DEFAULT true NOT NULL;--> statement-breakpoint
ALTER TABLE `provisioner_instances` ADD `desired_before` text;--> statement-breakpoint
ALTER TABLE `provisioner_instances` ADD `retention_carried_ms` integer DEFAULT 0 NOT NULL;--> statement-breakpoint
UPDATE `provisioner_instances` SET `billed` = false WHERE `account_id` IS NULL;
