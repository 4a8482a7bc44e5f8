ALTER TABLE `provisioner_instances` ADD `memory_bytes` integer;--> statement-breakpoint
ALTER TABLE `provisioner_instances` ADD `cpus` real;