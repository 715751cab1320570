"""What moves: state machines over the parts that `hal` drives. Imports policy and crypto."""
