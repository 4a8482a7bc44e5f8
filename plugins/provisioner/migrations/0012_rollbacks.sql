CREATE TABLE `provisioner_rollbacks` (
	`instance_id` text PRIMARY KEY NOT NULL,
	`operation_id` text NOT NULL,
	`image` text NOT NULL,
	`image_id` text,
	`kept_at` integer NOT NULL,
	FOREIGN KEY (`instance_id`) REFERENCES `provisioner_instances`(`id`) ON UPDATE no action ON DELETE no action
);
--> statement-breakpoint
ALTER TABLE `provisioner_operations` ADD `previous_image` text;--> statement-breakpoint
ALTER TABLE `provisioner_operations` ADD `previous_image_id` text;