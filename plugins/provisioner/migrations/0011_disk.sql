CREATE TABLE `provisioner_disk_uses` (
	`instance_id` text PRIMARY KEY NOT NULL,
	`bytes` integer NOT NULL,
	`measured_at` integer NOT NULL,
	FOREIGN KEY (`instance_id`) REFERENCES `provisioner_instances`(`id`) ON UPDATE no action ON DELETE no action
);
--> statement-breakpoint
ALTER TABLE `provisioner_instances` ADD `pids` integer;--> statement-breakpoint
ALTER TABLE `provisioner_instances` ADD `disk_bytes` integer;--> statement-breakpoint
ALTER TABLE `provisioner_instances` ADD `runs_at_once` integer;