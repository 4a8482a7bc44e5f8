CREATE TABLE `upgrades_fleet_upgrades` (
	`id` text PRIMARY KEY NOT NULL,
	`state` text NOT NULL,
	`open` integer,
	`reason` text,
	`image` text NOT NULL,
	`image_id` text NOT NULL,
	`parallel` integer NOT NULL,
	`halt_after` integer NOT NULL,
	`soak_ms` integer NOT NULL,
	`soaked_ms` integer DEFAULT 0 NOT NULL,
	`wave` integer NOT NULL,
	`undo_wave` integer,
	`actor_kind` text NOT NULL,
	`actor_id` text NOT NULL,
	`actor_name` text NOT NULL,
	`undo_actor_kind` text,
	`undo_actor_id` text,
	`undo_actor_name` text,
	`created_at` integer NOT NULL,
	`finished_at` integer
);
--> statement-breakpoint
CREATE UNIQUE INDEX `upgrades_fleet_upgrades_open` ON `upgrades_fleet_upgrades` (`open`);--> statement-breakpoint
CREATE TABLE `upgrades_members` (
	`upgrade_id` text NOT NULL,
	`instance_id` text NOT NULL,
	`subdomain` text NOT NULL,
	`wave` integer NOT NULL,
	`position` integer NOT NULL,
	`status` text NOT NULL,
	`reason` text,
	`accepted` integer DEFAULT false NOT NULL,
	`image_id_before` text NOT NULL,
	`operation_id` text,
	`undo_operation_id` text,
	`started_at` integer,
	`finished_at` integer,
	PRIMARY KEY(`upgrade_id`, `instance_id`),
	FOREIGN KEY (`upgrade_id`) REFERENCES `upgrades_fleet_upgrades`(`id`) ON UPDATE no action ON DELETE no action
);
--> statement-breakpoint
CREATE INDEX `upgrades_members_status` ON `upgrades_members` (`upgrade_id`,`status`);