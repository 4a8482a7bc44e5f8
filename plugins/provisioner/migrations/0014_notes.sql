CREATE TABLE `provisioner_notes` (
	`instance_id` text PRIMARY KEY NOT NULL,
	`plan` text,
	`unpaid` integer DEFAULT false NOT NULL,
	`copied_at` integer,
	`copy_overdue` integer DEFAULT false NOT NULL,
	`version` text,
	`version_order` text,
	FOREIGN KEY (`instance_id`) REFERENCES `provisioner_instances`(`id`) ON UPDATE no action ON DELETE no action
);
