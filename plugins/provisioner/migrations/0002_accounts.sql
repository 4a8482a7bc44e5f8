ALTER TABLE `provisioner_instances` ADD `account_id` text;--> statement-breakpoint
CREATE INDEX `provisioner_instances_account` ON `provisioner_instances` (`account_id`);