CREATE TABLE `tokens_hand_overs` (
	`handed_over_at` integer PRIMARY KEY NOT NULL
);
