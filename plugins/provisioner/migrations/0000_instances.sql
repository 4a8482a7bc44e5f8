CREATE TABLE `provisioner_instances` (
	`id` text PRIMARY KEY NOT NULL,
	`subdomain` text NOT NULL,
	`owner_email` text NOT NULL,
	`desired` text NOT NULL,
	`status` text NOT NULL,
	`status_reason` text,
	`driver` text NOT NULL,
	`image` text NOT NULL,
	`password_hash` text NOT NULL,
	`host` text,
	`port` integer,
	`created_at` integer NOT NULL,
	`last_health_at` integer,
	`operation_id` text,
	`deleted_at` integer,
	`purge_requested_at` integer,
	`purged_at` integer
);
--> statement-breakpoint
CREATE UNIQUE INDEX `provisioner_instances_subdomain` ON `provisioner_instances` (`subdomain`) WHERE "provisioner_instances"."purged_at" is null;--> statement-breakpoint
CREATE TABLE `provisioner_operations` (
	`id` text PRIMARY KEY NOT NULL,
	`instance_id` text NOT NULL,
	`kind` text NOT NULL,
	`status` text NOT NULL,
	`image` text,
	`error` text,
	`permanent` integer DEFAULT false NOT NULL,
	`created_at` integer NOT NULL,
	`started_at` integer,
	`finished_at` integer,
	FOREIGN KEY (`instance_id`) REFERENCES `provisioner_instances`(`id`) ON UPDATE no action ON DELETE no action
);
--> statement-breakpoint
CREATE INDEX `provisioner_operations_instance` ON `provisioner_operations` (`instance_id`,`created_at`);--> statement-breakpoint
CREATE UNIQUE INDEX `provisioner_operations_open` ON `provisioner_operations` (`instance_id`) WHERE "provisioner_operations"."status" in ('pending', 'running');--> statement-breakpoint
CREATE TABLE `provisioner_steps` (
	`operation_id` text NOT NULL,
	`position` integer NOT NULL,
	`name` text NOT NULL,
	`status` text NOT NULL,
	`detail` text,
	`started_at` integer,
	`finished_at` integer,
	PRIMARY KEY(`operation_id`, `position`),
	FOREIGN KEY (`operation_id`) REFERENCES `provisioner_operations`(`id`) ON UPDATE no action ON DELETE no action
);
