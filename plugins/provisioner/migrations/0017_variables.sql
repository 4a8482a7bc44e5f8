CREATE TABLE `provisioner_variables` (
	`instance_id` text NOT NULL,
	`name` text NOT NULL,
	`sealed` text NOT NULL,
	`updated_at` integer NOT NULL,
	`updated_by` text,
	PRIMARY KEY(`instance_id`, `name`),
	FOREIGN KEY (`instance_id`) REFERENCES `provisioner_instances`(`id`) ON UPDATE no action ON DELETE no action
);
--> statement-breakpoint
ALTER TABLE `provisioner_instances` ADD `variables` text;