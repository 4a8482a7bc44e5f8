ALTER TABLE `provisioner_instances` ADD `answers` integer DEFAULT false NOT NULL;--> statement-breakpoint
ALTER TABLE `provisioner_instances` ADD `settings` text;--> statement-breakpoint
ALTER TABLE `provisioner_instances` ADD `ready_at` integer;--> statement-breakpoint
ALTER TABLE `provisioner_instances` ADD `volume_marked_at` integer;--> statement-breakpoint
ALTER TABLE `provisioner_instances` ADD `volume_permit` text;--> statement-breakpoint
ALTER TABLE `provisioner_instances` ADD `volume_fault` text;--> statement-breakpoint
UPDATE `provisioner_instances` SET `ready_at` = `last_health_at`;--> statement-breakpoint
UPDATE `provisioner_instances` SET `answers` = true WHERE `status` = 'running';
