CREATE TABLE `gate_gates` (
	`instance_id` text PRIMARY KEY NOT NULL,
	`closed` integer NOT NULL,
	`public_paths` text NOT NULL,
	`generation` integer NOT NULL
);
