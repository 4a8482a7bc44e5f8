ALTER TABLE `provisioner_instances` ADD `pending_copy_id` text;--> statement-breakpoint
ALTER TABLE `provisioner_instances` ADD `secrets_of` text DEFAULT '[]' NOT NULL;--> statement-breakpoint
ALTER TABLE `provisioner_operations` ADD `copy_id` text;