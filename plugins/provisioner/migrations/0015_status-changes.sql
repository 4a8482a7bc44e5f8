CREATE TABLE `provisioner_status_changes` (
	`id` integer PRIMARY KEY AUTOINCREMENT NOT NULL,
	`instance_id` text NOT NULL,
	`at` integer NOT NULL,
	`status` text NOT NULL,
	`reason` text,
	FOREIGN KEY (`instance_id`) REFERENCES `provisioner_instances`(`id`) ON UPDATE no action ON DELETE no action
);
--> statement-breakpoint
CREATE INDEX `provisioner_status_changes_instance` ON `provisioner_status_changes` (`instance_id`,`id`);