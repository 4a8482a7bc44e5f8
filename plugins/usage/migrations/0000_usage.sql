CREATE TABLE `usage_days` (
	`at` integer NOT NULL,
	`key` integer NOT NULL,
	`cpu_min` integer,
	`cpu_avg` integer,
	`cpu_max` integer,
	`memory_min` integer NOT NULL,
	`memory_avg` integer NOT NULL,
	`memory_max` integer NOT NULL,
	`disk_min` integer,
	`disk_avg` integer,
	`disk_max` integer,
	`processes` integer NOT NULL,
	PRIMARY KEY(`at`, `key`)
) WITHOUT ROWID;
--> statement-breakpoint
CREATE TABLE `usage_instances` (
	`key` integer PRIMARY KEY AUTOINCREMENT NOT NULL,
	`instance_id` text NOT NULL
);
--> statement-breakpoint
CREATE UNIQUE INDEX `usage_instances_instance_id_unique` ON `usage_instances` (`instance_id`);--> statement-breakpoint
CREATE TABLE `usage_minutes` (
	`at` integer NOT NULL,
	`key` integer NOT NULL,
	`cpu` integer,
	`memory_kib` integer NOT NULL,
	`disk_kib` integer,
	`processes` integer NOT NULL,
	PRIMARY KEY(`at`, `key`)
) WITHOUT ROWID;
--> statement-breakpoint
CREATE TABLE `usage_quarters` (
	`at` integer NOT NULL,
	`key` integer NOT NULL,
	`cpu_min` integer,
	`cpu_avg` integer,
	`cpu_max` integer,
	`memory_min` integer NOT NULL,
	`memory_avg` integer NOT NULL,
	`memory_max` integer NOT NULL,
	`disk_min` integer,
	`disk_avg` integer,
	`disk_max` integer,
	`processes` integer NOT NULL,
	PRIMARY KEY(`at`, `key`)
) WITHOUT ROWID;
