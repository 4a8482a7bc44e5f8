ALTER TABLE `provisioner_instances` ADD `suspended_at` integer;--> statement-breakpoint
ALTER TABLE `provisioner_instances` ADD `suspension` text;--> statement-breakpoint
ALTER TABLE `provisioner_instances` ADD `deleted_by` text;--> statement-breakpoint
ALTER TABLE `provisioner_instances` ADD `retention_served_ms` integer DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE `provisioner_instances` ADD `retention_seen_at` integer;--> statement-breakpoint
ALTER TABLE `provisioner_instances` ADD `retention_held` text;