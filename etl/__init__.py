"""Take in exports and publish builds of the warehouse: read, stage, model, check, publish."""
